// A device that keeps passkeys, as Chromium pretends to have one. Its owner is there and verified as long as a test says so.

import type { CDPSession, Page } from '@playwright/test';

export class Device {
  private constructor(private readonly session: CDPSession, private readonly authenticatorId: string) {}

  /** A device of the browser of this page. Its owner is not there yet; a question that waits for them already is never answered. */
  static async attach(page: Page, { isSynced = false } = {}): Promise<Device> {
    const session = await page.context().newCDPSession(page);
    await session.send('WebAuthn.enable', { enableUI: false });
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: false,
        defaultBackupEligibility: isSynced,
        defaultBackupState: isSynced,
      },
    });
    return new Device(session, authenticatorId);
  }

  /** Whether its owner says yes to whatever is asked. */
  async setPresent(enabled: boolean): Promise<void> {
    await this.session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId: this.authenticatorId, enabled });
  }

  /** Whether its owner has the right finger. */
  async setVerified(isUserVerified: boolean): Promise<void> {
    await this.session.send('WebAuthn.setUserVerified', { authenticatorId: this.authenticatorId, isUserVerified });
  }

  /** Lets it keep none any more. */
  async forget(): Promise<void> {
    await this.session.send('WebAuthn.clearCredentials', { authenticatorId: this.authenticatorId });
  }

  /** How many passkeys it keeps. */
  async size(): Promise<number> {
    const { credentials } = await this.session.send('WebAuthn.getCredentials', { authenticatorId: this.authenticatorId });
    return credentials.length;
  }
}
