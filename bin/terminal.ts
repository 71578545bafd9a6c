import { WriteStream } from 'node:tty';

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof CODES;

/**
 * Text that comes from a file or an account, for a terminal: what cannot be seen is written as its code. An escape sequence
 * must not reach the terminal as such, nor a sign that turns the line round.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => {
    const code = sign.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
  });
}

/** Output for people: colours and a live last line on a terminal, plain lines in a pipe or a file. */
export class Terminal {
  private readonly coloured: boolean;
  private readonly lively: boolean;
  private live = '';

  constructor(private readonly stream: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>) {
    this.lively = stream.isTTY === true && process.env.TERM !== 'dumb';
    // https://no-color.org
    this.coloured = this.lively && !process.env.NO_COLOR;
  }

  paint(style: Style, text: string): string {
    return this.coloured ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
  }

  /** Writes lines for good, above the live line. */
  print(text = ''): void {
    const { live } = this;
    this.setLive('');
    this.stream.write(`${text}\n`);
    this.setLive(live);
  }

  /** Replaces the live line; an empty text removes it. In a pipe nothing is shown. */
  setLive(text: string): void {
    if (!this.lively) return;
    // A line longer than the terminal would wrap and could not be taken back.
    const line = text.slice(0, (this.stream.columns || 80) - 1);
    if (this.live || line) this.stream.write(`\r\x1b[2K${line}`);
    this.live = line;
  }
}
