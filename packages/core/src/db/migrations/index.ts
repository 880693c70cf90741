import type { Migration } from 'kysely/migration'
import * as createBulkExportJobsTable from './1771771003000-CreateBulkExportJobsTable.ts'
import * as boundWhatACallerCosts from './1771771004000-BoundWhatACallerCosts.ts'
import * as watchWorkersAndTransactions from './1771771004100-WatchWorkersAndTransactions.ts'
import * as createSearchFunctions from './1771771009000-CreateSearchFunctions.ts'
import * as registerClients from './1771771010000-RegisterClients.ts'
import * as recordWhoDidWhat from './1771771012000-RecordWhoDidWhat.ts'
import * as keepParametersAsJson from './1771771013000-KeepParametersAsJson.ts'
import * as shareExports from './1771771014000-ShareExports.ts'
import * as showOperatorsWhatRuns from './1771771015000-ShowOperatorsWhatRuns.ts'

/** Every migration of the service's own tables, by file name; they run in the order of their names. */
export const migrations: Record<string, Migration> = {
  '1771771003000-CreateBulkExportJobsTable': createBulkExportJobsTable,
  '1771771004000-BoundWhatACallerCosts': boundWhatACallerCosts,
  '1771771004100-WatchWorkersAndTransactions': watchWorkersAndTransactions,
  '1771771009000-CreateSearchFunctions': createSearchFunctions,
  '1771771010000-RegisterClients': registerClients,
  '1771771012000-RecordWhoDidWhat': recordWhoDidWhat,
  '1771771013000-KeepParametersAsJson': keepParametersAsJson,
  '1771771014000-ShareExports': shareExports,
  '1771771015000-ShowOperatorsWhatRuns': showOperatorsWhatRuns,
}
