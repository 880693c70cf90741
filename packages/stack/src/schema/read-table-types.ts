import { join } from 'node:path'
import ts from 'typescript'

export interface ColumnTypes {
  /**
   * Of what is selected, without null: `string`, `number`, `boolean`, `Date`, `Buffer`, or an array of these; otherwise as TypeScript
   * spells it.
   */
  type: string
  nullable: boolean
  /** An insert may leave it out. */
  optional: boolean
  /** Of a union of string literals. */
  values?: string[]
}

/** Of every table of the interface `Database` in `directory`/database.ts, by `table.column`, as Kysely derives them. */
export function readTableTypes (directory: string): Map<string, ColumnTypes> {
  const path = join(directory, 'schema.generated.ts') // never written: it exists in the compiler alone
  const text = `
    import type { Insertable, Selectable } from 'kysely'
    import type { Database } from './database.ts'
    export type Selected = { [T in keyof Database]: Selectable<Database[T]> }
    export type Inserted = { [T in keyof Database]: Insertable<Database[T]> }`
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.NodeNext, strict: true, noEmit: true, allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true, skipLibCheck: true, types: ['node'],
  }
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile
  host.getSourceFile = (name, ...rest) => name === path
    ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2024, true)
    : read(name, ...rest)
  const program = ts.createProgram([path], options, host)
  const source = program.getSourceFile(path)
  const [error] = ts.getPreEmitDiagnostics(program, source)
  if (source === undefined || error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error?.messageText ?? 'no source', '\n'))
  return toColumns(program.getTypeChecker(), source)
}

function toColumns (checker: ts.TypeChecker, source: ts.SourceFile): Map<string, ColumnTypes> {
  const propertiesOf = (type: ts.Type): Array<{ name: string, type: ts.Type, optional: boolean }> => type.getProperties().map(property => ({
    name: property.name, type: checker.getTypeOfSymbol(property), optional: (property.flags & ts.SymbolFlags.Optional) !== 0,
  }))
  const [selected = [], inserted = []] = ['Selected', 'Inserted'].map(name => {
    const symbol = checker.resolveName(name, source, ts.SymbolFlags.TypeAlias, false)
    return symbol === undefined ? [] : propertiesOf(checker.getDeclaredTypeOfSymbol(symbol))
  })
  const optional = new Set(inserted.flatMap(table => propertiesOf(table.type).filter(column => column.optional).map(
    column => `${table.name}.${column.name}`
  )))
  return new Map(selected.flatMap(table => propertiesOf(table.type).map(({ name, type }) =>
    [`${table.name}.${name}`, { ...describe(checker, type), optional: optional.has(`${table.name}.${name}`) }])))
}

function describe (checker: ts.TypeChecker, type: ts.Type): Omit<ColumnTypes, 'optional'> {
  const members = type.isUnion() ? type.types : [type]
  const some = members.filter(member => (member.flags & ts.TypeFlags.Null) === 0)
  const values = some.flatMap(member => member.isStringLiteral() ? [member.value] : [])
  return {
    type: [...new Set(some.map(member => nameOf(checker, member)))].sort().join(' | '),
    nullable: some.length < members.length,
    ...(values.length > 0 && values.length === some.length ? { values } : {}),
  }
}

function nameOf (checker: ts.TypeChecker, type: ts.Type): string {
  if (type.flags & ts.TypeFlags.StringLike) return 'string'
  if (type.flags & ts.TypeFlags.NumberLike) return 'number'
  if (type.flags & ts.TypeFlags.BooleanLike) return 'boolean'
  const [element] = checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference) : []
  if (element !== undefined) return `${describe(checker, element).type}[]`
  return type.symbol?.name ?? checker.typeToString(type)
}
