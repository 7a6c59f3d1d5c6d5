// The official client, unchanged. Outside of a browser `fetch` keeps no cookies, which the client's session mode is made of:
// there the one that the client finds keeps them, for the server of the test alone.

import { createRequire } from 'node:module';
import type exported from '@medusajs/js-sdk';
import type { Server } from './server.ts';

// Its files for `import` do not say that they are modules, which not every Node guesses; those for `require` do the same.
const { default: Sdk, FetchError } = createRequire(import.meta.url)('@medusajs/js-sdk') as typeof exported;

export { FetchError };
/** The official client. */
export type Client = InstanceType<typeof Sdk>;

/** How the client carries who is logged in: by a token that it sends, or by a cookie. */
export type ClientMode = 'jwt' | 'session';

/** A client of this server that nobody has logged in yet. */
export function clientOf(server: Server, mode: ClientMode): Client {
  if (mode === 'session') keepCookies(server);
  const auth = mode === 'session' ? { type: mode } : { type: mode, jwtTokenStorageMethod: 'memory' as const };
  return new Sdk({ baseUrl: server.url, auth });
}

const bare = globalThis.fetch;

/** Lets `fetch` keep cookies as a browser does that is asked to include them. */
function keepCookies(server: Server): void {
  const jar = new Map<string, string>();
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const isOwn = request.url.startsWith(`${server.url}/`) && init?.credentials === 'include';
    if (isOwn && jar.size > 0) request.headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await bare(request);
    if (isOwn) for (const line of answer.headers.getSetCookie()) keep(jar, line);
    return answer;
  };
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const at = pair.indexOf('=');
  const isGone = attributes.some((attribute) => /^max-age=0$/i.test(attribute));
  if (isGone) jar.delete(pair.slice(0, at));
  else jar.set(pair.slice(0, at), pair.slice(at + 1));
}
