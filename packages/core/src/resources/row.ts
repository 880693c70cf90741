/** A row in COPY's binary format: each column's bytes lie in `bytes` from `starts` to `ends`; a start of -1 is NULL. */
export interface Row { bytes: Buffer, starts: Int32Array, ends: Int32Array }

/** Rows of NDJSON as they are put together. The writer takes a larger buffer where it needs one. */
export interface Line { bytes: Buffer, size: number }
