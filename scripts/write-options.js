// Generates the interface of the options, with a description for the hover of an editor, from the table of the settings.
const { z } = require('zod');

const NOTE = `/*
 * Written by \`npm run docs\` from the table in settings.ts; do not edit.
 */`;

/** @returns the TypeScript type of what a caller writes for a setting */
function inputType(schema) {
  const types = [...new Set(alternatives(schema))];
  // A string includes every literal.
  return types.filter((type) => !types.includes('string') || !type.startsWith("'")).join(' | ');
}

/** @returns the members of the union of types that a schema accepts */
function alternatives(schema) {
  const { def } = schema;
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
      return alternatives(def.innerType);
    case 'pipe':
      return alternatives(def.in);
    case 'union':
      return def.options.flatMap(alternatives);
    case 'enum':
      return Object.values(def.entries).map((value) => `'${value}'`);
    case 'array':
      return [arrayType(alternatives(def.element))];
    case 'object':
      return [objectType(def.shape)];
    case 'number':
      return def.coerce ? ['number', 'string'] : ['number'];
    case 'boolean':
    case 'string':
      return [def.type];
    default:
      throw new Error(`no type for the schema ${def.type}`);
  }
}

function arrayType(types) {
  return types.length > 1 ? `(${types.join(' | ')})[]` : `${types[0]}[]`;
}

function objectType(shape) {
  const members = Object.entries(shape).map(([name, member]) => {
    const isOptional = z.safeParse(member, undefined).success;
    return isOptional
      ? `${name}?: ${inputType(member)} | undefined;`
      : `${name}: ${inputType(member)};`;
  });
  return `{ ${members.join(' ')} }`;
}

/**
 * Renders src/config/options.ts, before Prettier formats it.
 * @param settings - the groups of schemas
 * @param describeOptions - describes them
 */
function renderOptions(settings, describeOptions) {
  const schemas = Object.assign({}, ...Object.values(settings));
  const members = describeOptions().map(({ default: preset, description, name }) => {
    const sentence = `${description[0].toUpperCase()}${description.slice(1)}.`;
    const tag = preset === undefined ? '' : `\n   * @defaultValue \`${preset}\``;
    return `  /**\n   * ${sentence}${tag}\n   */\n  ${name}?: ${inputType(schemas[name])} | undefined;`;
  });
  return `${NOTE}

/**
 * Options of a gateway, all optional. Durations are milliseconds or text such as \`60s\`, sizes are bytes or text such as
 * \`10MiB\`, and switches are \`true\`, \`false\`, \`on\` or \`off\`.
 */
export interface GatewayOptions {
${members.join('\n')}
}
`;
}

/** Formats as `npm run format` does. */
async function formatOptions(text) {
  const prettier = require('prettier');
  const config = await prettier.resolveConfig(require.resolve('./write-options.js'));
  return prettier.format(text, { ...config, parser: 'typescript' });
}

module.exports = { formatOptions, renderOptions };
