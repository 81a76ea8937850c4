// JSPyBridge's callback: a function of Python, called and awaited from Node.
'use strict';

// Microseconds for each call.
async function times(callback, count) {
    const start = performance.now();
    for (let turn = 0; turn < count; turn++) await callback(1, 2);
    return ((performance.now() - start) * 1000) / count;
}

module.exports = { times };
