import { ErrorAnswer } from '../service-server';

/** An error code that Secrets Manager answers; all but its own faults with status 400. */
export type ErrorCode =
  | 'AccessDeniedException'
  | 'DecryptionFailure'
  | 'EncryptionFailure'
  | 'InvalidParameterException'
  | 'InvalidRequestException'
  | 'ResourceExistsException'
  | 'ResourceNotFoundException'
  | 'SerializationException'
  | 'UnknownOperationException';

/** An answer of Secrets Manager other than success. */
export class ServiceError extends ErrorAnswer {
  constructor(code: ErrorCode, message: string) {
    super(code, 400, message);
  }
}
