/** The elements of a jsonb that should be a list, but may be anything. */
export function toElements (expression: string): string {
  return `jsonb_array_elements(CASE jsonb_typeof(${expression}::jsonb) WHEN 'array' THEN ${expression}::jsonb ELSE '[]' END)`
}

/** `Type/id` of a Reference (jsonb) to a resource of this server; something else, or null, of any other. */
export function toReference (expression: string): string {
  return `(split_part(${expression} ->> 'reference', '/', 1) || '/' || split_part(${expression} ->> 'reference', '/', 2))`
}
