// A real mail server for one test, and what people find in their mail.

import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** How long a mail may take, in milliseconds. */
const patience = 15_000;

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
}

export class Mailbox {
  private readonly mails: Mail[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly refusals = new Map<string, Error>();
  private server = this.listener();
  port = 0;

  private constructor() {}

  private listener(): SMTPServer {
    return new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onRcptTo: ({ address }, _session, done) => done(this.refusals.get(address)),
      onData: (stream, session, done) => {
        simpleParser(stream).then((mail) => {
          const to = session.envelope.rcptTo.map((recipient) => recipient.address).join(', ');
          this.mails.push({ to, subject: mail.subject ?? '', text: mail.text ?? '', html: mail.html || '' });
          for (const look of this.waiting) look();
          done();
        }, done);
      },
    });
  }

  static async open(): Promise<Mailbox> {
    const mailbox = new Mailbox();
    await mailbox.listen();
    return mailbox;
  }

  private async listen(): Promise<void> {
    await new Promise<void>((ready) => this.server.listen(this.port, '127.0.0.1', ready));
    const address = this.server.server.address();
    if (typeof address === 'object' && address) this.port = address.port;
  }

  close(): Promise<void> {
    return new Promise((closed) => this.server.close(closed));
  }

  /** Takes calls again where it was closed before. */
  reopen(): Promise<void> {
    this.server = this.listener();
    return this.listen();
  }

  /** Takes no mail to somebody from now on, and says why. */
  refuse(address: string, responseCode: number, words: string): void {
    this.refusals.set(address, Object.assign(new Error(words), { responseCode }));
  }

  /** Takes mails to somebody again. */
  accept(address: string): void {
    this.refusals.delete(address);
  }

  /** The subjects of the mails to somebody that nobody has taken. */
  to(address: string): string[] {
    return this.mails.filter((mail) => mail.to === address).map((mail) => mail.subject);
  }

  /** The oldest mail to somebody with this subject; it is taken out. */
  take(to: string, subject: RegExp): Promise<Mail> {
    return new Promise((found, fail) => {
      const giveUp = setTimeout(() => {
        this.waiting.delete(look);
        const there = this.mails.map((mail) => `${mail.to}: ${mail.subject}`).join('\n');
        fail(new Error(`no mail to ${to} with ${subject}; there are:\n${there}`));
      }, patience);
      const look = () => {
        const at = this.mails.findIndex((mail) => mail.to === to && subject.test(mail.subject));
        const mail = this.mails[at];
        if (!mail) return;
        this.mails.splice(at, 1);
        clearTimeout(giveUp);
        this.waiting.delete(look);
        found(mail);
      };
      this.waiting.add(look);
      look();
    });
  }
}

/** The link of a mail, as whoever reads the text finds it. */
export function linkIn(mail: Mail): string {
  const link = /https?:\/\/\S+\/link\/[\w-]+/.exec(mail.text)?.[0];
  if (!link || !mail.html.includes(link)) throw new Error(`no link in both parts of:\n${mail.text}`);
  return link;
}

/** The code of a mail. */
export function codeIn(mail: Mail): string {
  const code = /\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/.exec(mail.text)?.[0];
  if (!code) throw new Error(`no code in:\n${mail.text}`);
  return code;
}
