/** Of a QUEUE_URL: BullMQ on its PostgreSQL backend; else on Redis. */
export function isPostgres (url: string): boolean {
  return url.startsWith('postgres')
}
