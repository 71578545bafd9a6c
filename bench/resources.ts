import { App, Stack } from 'aws-cdk-lib';
import { declareAwsCustomResources, declareBehindProvider, declareUsers, type Declare } from './declarations';
import type { Row } from './row';

/** CloudFormation resources of a stack with one user, and of each user more. */
export function resources(): Row[] {
  const [ours, custom, provider] = [declareUsers, declareAwsCustomResources, declareBehindProvider].map(count);
  return [
    {
      measure: 'CloudFormation resources: first user, each more',
      ours: show(ours!),
      beside: `AwsCustomResource: ${show(custom!)}; Provider framework: ${show(provider!)}`,
      target: '4, +1',
      reached: show(ours!) === '4, +1',
    },
  ];
}

interface Counts {
  readonly first: number;
  readonly more: number;
}

function show({ first, more }: Counts): string {
  return `${first}, +${more}`;
}

function count(declare: Declare): Counts {
  const [first, second] = [['ana'], ['ana', 'ben']].map((names) => {
    const app = new App({ analyticsReporting: false });
    const stack = new Stack(app, 'Bench');
    declare(stack, names);
    return Object.keys(app.synth().getStackByName('Bench').template.Resources).length;
  });
  return { first: first!, more: second! - first! };
}
