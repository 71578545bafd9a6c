export { EmbeddedQuickSight } from './embedded-quicksight';
export type { EmbeddedQuickSightOptions, GroupRecord, UserRecord } from './embedded-quicksight';
export type { Fault, FaultEffect, FaultHandle, FaultMatch } from '../faults';
export type { AuthorizationRequest } from './operations';
export type { RecordedCall } from '../service-server';
export type { Account } from './state';
