import { didYouMean } from '../../bin/did-you-mean';

const KEYS = ['userName', 'iamUser', 'iamRole', 'email', 'role'];

test.each([
  ['emial', 'email'],
  ['mail', 'email'],
  ['Email', 'email'],
  ['rolle', 'role'],
  ['usrename', 'userName'],
  ['iamrole', 'iamRole'],
])('%s was meant to be %s', (word, meant) => {
  expect(didYouMean(word, KEYS)).toBe(`; did you mean ${meant}?`);
});

test.each(['group', 'x', ''])('"%s" was meant to be none of them', (word) => {
  expect(didYouMean(word, KEYS)).toBe('');
});
