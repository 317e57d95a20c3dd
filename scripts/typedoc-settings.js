// Plugin of TypeDoc: the settings of a gateway are described where they are defined, for the command line as well, and
// not by comments. Reads the built program.
const { join } = require('node:path');
const { Comment, Converter, ReflectionKind } = require('typedoc');

const OWNERS = new Set(['Config', 'GatewayOptions']);

exports.load = ({ converter }) => {
  const { describeOptions } = require(
    join(__dirname, '..', 'dist', 'config', 'describe-options.js'),
  );
  const texts = new Map(describeOptions().map(({ description, name }) => [name, description]));
  converter.on(Converter.EVENT_CREATE_DECLARATION, (_context, reflection) => {
    const text = texts.get(reflection.name);
    if (reflection.kind !== ReflectionKind.Property || text === undefined) return;
    if (!OWNERS.has(reflection.parent?.name) || reflection.comment !== undefined) return;
    const sentence = `${text[0].toUpperCase()}${text.slice(1)}.`;
    reflection.comment = new Comment([{ kind: 'text', text: sentence }]);
  });
};
