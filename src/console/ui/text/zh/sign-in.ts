import type { Texts } from '../en/shell.ts';
import type { signIn as english } from '../en/sign-in.ts';

export const signIn: Texts<typeof english> = {
  title: '登录',
  accessKey: 'AccessKey ID',
  secret: 'AccessKey Secret',
  submit: '登录',
  promise: 'Secret 只在此页面中使用，不会发送，也不会保存。',
  keyFile: (file) => `AccessKey 在文件 ${file} 中`,
  wrong: 'AccessKey ID 或 Secret 不正确。',
  stale: '网关认为此次登录已过期。请重试。',
  tooMany: '尝试次数过多。请等一分钟后再试。',
  expired: '您已退出登录。重新登录后将回到原来的位置。',
};
