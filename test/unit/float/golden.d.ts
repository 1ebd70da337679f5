declare module '*/float-vectors.txt' {
  const text: string;
  export default text;
}
declare module '*/float-digests.txt' {
  const text: string;
  export default text;
}
