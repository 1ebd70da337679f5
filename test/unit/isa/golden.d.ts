declare module '*/objdump.txt' {
  const text: string;
  export default text;
}
