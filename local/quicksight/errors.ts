import { ErrorAnswer } from '../service-server';

/** HTTP status of every error that the service model declares for the operations served here. */
const STATUS = {
  AccessDeniedException: 401,
  ConflictException: 409,
  InternalFailureException: 500,
  InvalidNextTokenException: 400,
  InvalidParameterValueException: 400,
  LimitExceededException: 409,
  PreconditionNotMetException: 400,
  ResourceExistsException: 409,
  ResourceNotFoundException: 404,
  ResourceUnavailableException: 503,
  SerializationException: 400,
  ThrottlingException: 429,
  UnknownOperationException: 404,
  UnsupportedUserEditionException: 403,
} as const;

/** An error code that QuickSight answers. */
export type ErrorCode = keyof typeof STATUS;

/** The status that QuickSight sends with a code; 400 for a code it does not know. */
export function statusOf(code: string): number {
  return STATUS[code as ErrorCode] ?? 400;
}

/** What a resource is called in the `ResourceType` member of an error. */
export type ResourceType = 'USER' | 'GROUP' | 'NAMESPACE' | 'CUSTOM_PERMISSIONS' | 'ACCOUNT';

/** An answer of QuickSight other than success. */
export class ServiceError extends ErrorAnswer {
  constructor(code: ErrorCode, message: string, resourceType?: ResourceType) {
    super(code, STATUS[code], message, { ResourceType: resourceType });
  }
}

export function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDeniedException', message);
}

export function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterValueException', message);
}

export function notFound(resourceType: ResourceType, message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message, resourceType);
}

export function exists(resourceType: ResourceType, message: string): ServiceError {
  return new ServiceError('ResourceExistsException', message, resourceType);
}
