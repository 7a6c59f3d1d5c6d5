// A foreign address in many spellings: what filters that read addresses otherwise than a browser does have let through.

/** What the site at this origin must never lead to. Each is told as a browser would be told it. */
export function foreignSpellings(origin: string): string[] {
  const host = 'evil.example';
  const { hostname, port, host: own } = new URL(origin);
  // A browser drops tabs and line breaks anywhere, blanks and control characters at both ends, and takes `\` for `/`.
  const before = ['', ' ', '\t', '\n', '\r\n', '\0', '\x0b', '\x1f'];
  const leads = ['//', '\\\\', '/\\', '\\/', '/\t/', '/\n\\', '///', '\\\\\\', 'https://', 'hTTps:', 'https:\\/', 'ht\ntps:///'];
  const crossed = before.flatMap((blank) => leads.map((lead) => `${blank}${lead}${host}`));
  const hosts = [
    'EVIL.example', 'evil.example.', 'evil.example:80', 'evil.example:443', 'evil%2eexample', 'evil。example', 'ｅvil.example',
    'ev\til.example', 'ev\u00adil.example', 'ev\u200bil.example', 'évil.example', 'xn--vil-9ua.example', '127.0.0.1', '0x7f.1', '2130706433',
    '[::1]', `${own}.evil.example`, `${own}@evil.example`, `${hostname}:@evil.example`, '@evil.example', ':@evil.example',
    `${hostname}:${Number(port) + 1}`, `${hostname}.`, `user:${own}@evil.example`, `evil.example\\@${own}`, `evil.example#@${own}`,
    `evil.example?@${own}`, `evil.example/@${own}`,
  ].map((host) => `//${host}`);
  const tails = ['/', '/account', '/../account', '?next=/account', '#/account', '\\account', '/%2e%2e', '/a\tb', ' ', '\t', '\n', '\0']
    .map((tail) => `//${host}${tail}`);
  const schemes = [
    'javascript:alert(1)', 'JavaScript:alert(1)', 'java\tscript:alert(1)', '\x01javascript:alert(1)', ' javascript:alert(1)',
    `javascript://${own}/%0aalert(1)`, 'data:text/html,<script>alert(1)</script>', 'vbscript:msgbox(1)', 'file:///etc/passwd',
    `blob:https://${host}/1`, `ftp://${host}/`, `ws://${own}/`, `wss://${host}/`, 'mailto:eve@evil.example', 'tel:1', 'about:blank',
    `view-source:https://${host}/`, `intent://${host}#Intent;end`, `x:${origin}/account`, `https:${own}/account`,
    `https://${own}/account`, `http://${own}@${host}/`, `http://${own}.${host}/`, `http:\\\\${host}`, `http:////${host}`, `HTTP://${host}`,
  ];
  return [...new Set([...crossed, ...hosts, ...tails, ...schemes])];
}

/** What the site may lead to, and does. */
export const ownSpellings = ['/account', '/account/sessions?a=//evil.example', '/account#//evil.example', '/%2F/evil.example', '/a//b', '/@evil.example'];
