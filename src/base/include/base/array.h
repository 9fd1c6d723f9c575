/* SPDX-License-Identifier: MIT */
/* How many elements an array has. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

/* `array` must be an array whose size the compiler knows, not a pointer. */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
