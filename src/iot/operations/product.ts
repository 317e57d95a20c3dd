import type { Account, Product } from '../../accounts/accounts.ts';
import { quote, refusal } from '../parameters/parameter.ts';

/** @throws BusinessError when the account lists its products and this is not one of them */
export function checkProduct({ products }: Account, productKey: string | undefined): void {
  if (productKey === undefined || products === undefined) return;
  if (products.some(({ key }) => key === productKey)) return;
  const keys = products.map(({ key }) => key).join(', ');
  const reason = `must be one of ${keys}, but is ${quote(productKey)}`;
  throw refusal('iot.prod.NotExistedProduct', { prefix: '' }, 'ProductKey', reason);
}

/** @returns the name of a product; empty when it is not known */
export function productName({ products }: Account, productKey: string | undefined): string {
  return products?.find(({ key }: Product) => key === productKey)?.name ?? '';
}
