'use strict';
// Loaded first into a process whose memory is measured: leaves its peak, in bytes, in the file that is named.
const { writeFileSync } = require('node:fs');

process.on('exit', () => writeFileSync(process.env.PEAK_MEMORY_FILE, String(process.resourceUsage().maxRSS * 1024)));
