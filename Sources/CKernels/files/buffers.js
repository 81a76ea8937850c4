'use strict';
// Arrays of JavaScript in shared memory: the part of the kernel that is loaded when one is met.
