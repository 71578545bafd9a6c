/**
 * What becomes of a user that exists in QuickSight before a resource of the stack declares it.
 *
 * It is about users whom nothing in the same root stack holds: made by hand, by another stack, or by people who provision
 * themselves. A user whose construct was renamed or moved between nested stacks goes on under the new one, and one that
 * the same resource retained earlier (`RemovalPolicy.RETAIN`) is taken back, whatever is chosen here.
 */
export enum ExistingUserPolicy {
  /** Refuse it: the deployment fails, with a message that names the user and who holds it, and the user stays as it is. */
  FAIL = 'FAIL',

  /**
   * Adopt it: the user keeps its name, its assets and its principal, and is brought to what is declared. Custom permissions
   * and an external login that are not declared are taken off; tags that are not declared stay.
   *
   * A user of another identity type, and an author or administrator who is declared a reader, are refused before
   * anything is changed, because QuickSight could only delete and register them anew. When the deployment rolls back, the
   * user stays; its role and its custom permissions are set back as far as QuickSight allows, and what else was changed
   * stays changed. Later, the user is deleted only by an update that succeeds, see `removalPolicy` of `QuickSightUser`.
   */
  ADOPT = 'ADOPT',
}
