/** The type model and its spelling under one name, for those who only use types and never read entries. */
export * from './types';
export { declaration, describeType, typeName } from './type-names';
