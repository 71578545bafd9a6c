'use strict';
// CDK's own handlers answer CloudFormation by https, on port 443. Loaded first into every process that is compared, so
// that all of them answer in the same way, and where the bench listens.
const http = require('node:http');
const https = require('node:https');
const url = require('node:url');

const { parse } = url;
let answersAt;
url.parse = (text, ...rest) => {
  const parsed = parse(text, ...rest);
  // CDK's handlers take the host and the path out of the response URL, and leave the port.
  answersAt = parsed.port;
  return parsed;
};

https.request = (...args) => {
  const [target, options, callback] = args[0] instanceof URL ? args : [{ port: answersAt }, ...args];
  const { hostname, port, pathname, search } = target;
  const place = pathname ? { hostname, port, path: `${pathname}${search}` } : { port };
  return http.request({ ...options, ...place }, callback);
};
