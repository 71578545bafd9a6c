export type * from '../lib/private/users-declaration';
