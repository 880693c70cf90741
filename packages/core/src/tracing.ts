import { context, propagation, ROOT_CONTEXT, SpanStatusCode, SpanKind, trace, type Attributes } from '@opentelemetry/api'

/*
 * Spans for a process that loads an SDK of OpenTelemetry (docker/README.md); without one each of these calls does nothing. Attributes are
 * ids, counts and types: never anything of a caller or a row.
 */

export interface SpanOptions {
  attributes?: Attributes
  kind?: 'producer' | 'consumer'
  /** Of the span that this one belongs to, where that is in another process or thread (https://www.w3.org/TR/trace-context/). */
  traceparent?: string | undefined
}

const kinds = { producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER }

/** Spans that the work begins are below this one. An error marks it as failed, by its code alone. */
export async function withSpan<T> (
  name: string, options: SpanOptions, work: (setAttributes: (attributes: Attributes) => void) => Promise<T>
): Promise<T> {
  const { attributes = {}, kind, traceparent } = options
  const parent = traceparent === undefined ? context.active() : propagation.extract(ROOT_CONTEXT, { traceparent })
  const settings = { attributes, kind: kind === undefined ? SpanKind.INTERNAL : kinds[kind] }
  return await trace.getTracer('fhir-bulk-export').startActiveSpan(name, settings, parent, async (span) => {
    try {
      return await work((more) => { span.setAttributes(more) })
    } catch (error) {
      span.setAttribute('error.type', toType(error)).setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
}

/** Of the span that is active, for another process or thread. Undefined: there is none. */
export function findTraceparent (): string | undefined {
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent
}

/** Of a request: where an instrumentation of HTTP has begun a span, that one counts. */
export function findCallerTraceparent (header: unknown): string | undefined {
  return trace.getActiveSpan() === undefined && typeof header === 'string' ? header : undefined
}

function toType (error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error ? String(error.code) : error.name
}
