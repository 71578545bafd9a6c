// aws-cdk-lib lints every template at synth (1.5 s a process). One test switches it on again: test/lib/strict.test.ts.
process.env.CDK_VALIDATION = 'false';
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
