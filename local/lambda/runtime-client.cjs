'use strict';
// Runs inside the function's own Node process and does there what Lambda's runtime client does. Plain JavaScript,
// because a TypeScript loader in this process would cost more than the handler's whole cold start.

const { existsSync } = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const toParent = process.send.bind(process);

// Log lines travel on the channel of the answers, so that they arrive before the answer that they belong to.
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk, encoding, callback) => {
    toParent({ log: Buffer.from(chunk, typeof encoding === 'string' ? encoding : undefined).toString() });
    (typeof encoding === 'function' ? encoding : callback)?.();
    return true;
  };
}

function describe(error) {
  const isError = error instanceof Error;
  return {
    errorType: isError ? error.name : typeof error,
    errorMessage: isError ? error.message : String(error),
    trace: isError ? String(error.stack).split('\n') : [],
  };
}

async function loadHandler() {
  const [, file, name] = /^(.*?)\.([^./]+)$/.exec(process.env._HANDLER) ?? [];
  const base = path.resolve(process.env.LAMBDA_TASK_ROOT, file ?? '');
  const found = ['.js', '.cjs', '.mjs'].map((extension) => base + extension).find(existsSync);
  if (!found) throw new Error(`cannot find module '${file}' of handler ${process.env._HANDLER}`);
  const module = found.endsWith('.mjs') ? await import(pathToFileURL(found).href) : require(found);
  if (typeof module[name] !== 'function') throw new Error(`${process.env._HANDLER} is undefined or not exported`);
  return module[name];
}

function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, result) => (error ? reject(error) : resolve(result));
    const returned = handler(event, context, callback);
    if (handler.length < 3 || typeof returned?.then === 'function') resolve(returned);
  });
}

function fail(error) {
  toParent({ failed: describe(error) }, () => process.exit(1));
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
process.on('disconnect', () => process.exit());
// A terminal sends Ctrl-C to every process of the group; whether this one ends is for the parent to say.
process.on('SIGINT', () => undefined);

loadHandler().then((handler) => {
  process.on('message', async ({ event, context, deadline }) => {
    const answer = await call(handler, event, {
      ...context,
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    }).then(
      (result) => ({ result }),
      (error) => ({ error: describe(error) }),
    );
    toParent({ answer, maxMemoryMb: Math.ceil(process.resourceUsage().maxRSS / 1024) });
  });
  toParent({ ready: true });
}, fail);
