// The least a Node kernel can do for a call: read a frame, parse header and body, print a reply. Blocking reads on 3.
// The call takes the larger of its arguments; with the argument `value` it gives the first one back.
'use strict';
const fs = require('node:fs');

const call = process.argv[2] === 'value' ? (value) => value : Math.max;

function read(count) {
    const data = Buffer.alloc(count);
    let filled = 0;
    while (filled < count) {
        const got = fs.readSync(3, data, filled, count - filled, null);
        if (got === 0) process.exit(0);
        filled += got;
    }
    return data.toString();
}

for (;;) {
    const sizes = read(16);
    const header = JSON.parse(read(parseInt(sizes.slice(0, 8), 16)));
    const body = JSON.parse(read(parseInt(sizes.slice(8), 16)));
    const answer = JSON.stringify({ op: 'ret', re: header.id, type: 'number', elapsed: 1.5 });
    const value = JSON.stringify(call(...body[0]));
    const hex = (text) => Buffer.byteLength(text).toString(16).padStart(8, '0');
    fs.writeSync(3, hex(answer) + hex(value) + answer + value);
}
