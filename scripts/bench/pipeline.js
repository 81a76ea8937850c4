// Answers NDJSON requests on standard input: each chunk's whole lines are called, their replies written at once.
'use strict';
const fs = require('node:fs');

const f = (x) => x + 1;
const chunk = Buffer.alloc(1 << 16);
let rest = '';
for (;;) {
    const got = fs.readSync(0, chunk, 0, chunk.length, null);
    if (got === 0) break;
    const lines = (rest + chunk.toString('latin1', 0, got)).split('\n');
    rest = lines.pop();
    let replies = '';
    for (const line of lines) {
        const request = JSON.parse(line);
        replies += JSON.stringify({ id: request.id, value: f(...request.args) }) + '\n';
    }
    for (let data = Buffer.from(replies); data.length > 0; ) data = data.subarray(fs.writeSync(1, data));
}
