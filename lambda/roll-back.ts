import { call, type Plan } from './execute';
import { orNothing } from './live-user';
import type { Create, Scope, Update } from './outcome';
import type { RefusedByRule } from './plan';
import { QuickSightError, type Input } from './quicksight-api';

/*
 * A roll-back that fails leaves the stack stuck, so an Update in one never fails for what a deployment would be refused:
 * it skips that change, and the log tells.
 */

/** Throws, unless the stack rolls back. */
export function* refuse(scope: Scope<Create | Update>, refusal: RefusedByRule): Plan<void> {
  if (!(yield* isRollingBack(scope))) throw refusal;
  yield { note: 'roll-back: a change of the user was skipped that a deployment would be refused' };
}

/** @returns whether the user is still there */
export function* updateUser(scope: Scope<Create | Update>, request: Input<'UpdateUser'> | undefined): Plan<boolean> {
  if (!request) return true;
  try {
    return (yield* orNothing(call('UpdateUser', request))) !== undefined;
  } catch (error) {
    if (!(error instanceof QuickSightError && isOfContent(error) && (yield* isRollingBack(scope)))) throw error;
    yield { note: `roll-back: QuickSight refused to change the user back: ${error.code}` };
    return true;
  }
}

export function* isRollingBack(scope: Scope<Create | Update>): Plan<boolean> {
  // Creates are never part of a roll-back.
  return isUpdate(scope) && !!(yield* scope.deployment.isRollingBack());
}

export function isUpdate(scope: Scope<Create | Update>): scope is Scope<Update> {
  return scope.event.RequestType === 'Update';
}

/** QuickSight will not have this change, however often it is asked: a role, or a profile that is gone. */
function isOfContent({ code }: QuickSightError): boolean {
  return code === 'InvalidParameterValueException' || code === 'PreconditionNotMetException';
}
