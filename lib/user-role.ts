/**
 * What a QuickSight user may do.
 *
 * A reader can be made anything else in place. An author or administrator cannot be made a reader again: QuickSight
 * wants such a user deleted and registered anew.
 */
export class UserRole {
  /** Looks at dashboards. */
  public static readonly READER = UserRole.of('READER');

  /** Makes data sources, datasets, analyses and dashboards. */
  public static readonly AUTHOR = UserRole.of('AUTHOR');

  /** An author who also manages users and the account's settings. */
  public static readonly ADMIN = UserRole.of('ADMIN');

  /** A reader with generative BI. */
  public static readonly READER_PRO = UserRole.of('READER_PRO');

  /** An author with generative BI. */
  public static readonly AUTHOR_PRO = UserRole.of('AUTHOR_PRO');

  /** An administrator with generative BI. */
  public static readonly ADMIN_PRO = UserRole.of('ADMIN_PRO');

  /**
   * A role that this library has no constant for.
   *
   * RESTRICTED_READER and RESTRICTED_AUTHOR are refused: they are in the API, but QuickSight does not offer them.
   *
   * @param name the role as the QuickSight API spells it, in capital letters
   */
  public static of(name: string): UserRole {
    return new UserRole(name);
  }

  private constructor(
    /** The role as the QuickSight API spells it. */
    public readonly name: string,
  ) {}
}
