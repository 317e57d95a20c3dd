/** The screen to sign in. */
export const signIn = {
  title: 'Sign in',
  accessKey: 'Access key',
  secret: 'Secret',
  submit: 'Sign in',
  promise: 'The secret stays in this page. It is neither sent nor stored.',
  keyFile: (file: string) => `The access key is in ${file}`,
  wrong: 'The access key or its secret is wrong.',
  stale: 'The gateway did not take the sign-in for a fresh one. Try again.',
  tooMany: 'Too many attempts. Wait a minute, and try again.',
  expired: 'You are signed out. After signing in you are where you were.',
};
