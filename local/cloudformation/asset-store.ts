import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Asset } from './assembly';
import type { StackEnvironment } from './intrinsics';
import type { Template } from './template';

/**
 * The bootstrap bucket: what a deployment uploads, kept because functions run from it and the next synth overwrites the
 * assembly. Directories are kept unpacked.
 */
export class AssetStore {
  #directory?: string;

  /** @param permanentDirectory where assets stay between runs; without it they go with `remove` */
  constructor(private readonly permanentDirectory?: string) {
    this.#directory = permanentDirectory;
  }

  publish(assets: readonly Asset[], { accountId, region, partition }: StackEnvironment): void {
    const place = (text: string) =>
      text
        .replaceAll('${AWS::AccountId}', accountId)
        .replaceAll('${AWS::Region}', region)
        .replaceAll('${AWS::Partition}', partition);
    for (const { sourcePath, destinations } of assets) {
      for (const { bucketName, objectKey } of destinations) {
        this.#put(path.join(place(bucketName), place(objectKey)), (target) =>
          cpSync(sourcePath, target, { recursive: true }),
        );
      }
    }
  }

  /** The file or directory that was uploaded to this place. */
  locate(bucket: string, key: string): string {
    const found = path.join(this.#root(), bucket, key);
    if (existsSync(found)) return found;
    throw new Error(
      `the bucket ${bucket} has no object ${key}: only assets of deployed assemblies are in the embedded S3`,
    );
  }

  /** A code directory with this text as its only file, for functions whose code stands in the template. */
  inlineCode(text: string): string {
    const name = path.join('inline', createHash('sha256').update(text).digest('hex'));
    return this.#put(name, (target) => {
      mkdirSync(target, { recursive: true });
      writeFileSync(path.join(target, 'index.js'), text);
    });
  }

  /** The template of a nested stack, by its S3 URL. */
  template(url: string): Template {
    const [, bucket = '', ...key] = new URL(url).pathname.split('/');
    return JSON.parse(readFileSync(this.locate(bucket, key.join('/')), 'utf8')) as Template;
  }

  remove(): void {
    if (this.#directory && !this.permanentDirectory) rmSync(this.#directory, { recursive: true, force: true });
  }

  #root(): string {
    return (this.#directory ??= mkdtempSync(path.join(tmpdir(), 'embedded-assets-')));
  }

  /** Keys are content hashes: what is there already is right. A half-written copy must never count as there. */
  #put(name: string, write: (target: string) => void): string {
    const target = path.join(this.#root(), name);
    if (existsSync(target)) return target;
    const unfinished = `${target}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(path.dirname(target), { recursive: true });
    write(unfinished);
    renameSync(unfinished, target);
    return target;
  }
}
