export * from './existing-user-policy';
export * from './external-login';
export * from './quicksight-user';
export * from './quicksight-user-provider';
export * from './quicksight-users';
export * from './user-identity';
export * from './user-role';
