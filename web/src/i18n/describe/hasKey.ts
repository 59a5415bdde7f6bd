export const hasKey = <K extends string>(table: Record<K, unknown>, key: string): key is K => Object.hasOwn(table, key);
