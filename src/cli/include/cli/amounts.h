/* SPDX-License-Identifier: MIT */
/* Numbers as a person reads them. */
#ifndef CLI_AMOUNTS_H
#define CLI_AMOUNTS_H

#include <stdint.h>

#define AMOUNT_BYTES 64

/* Writes "3 h 25 min"; "over" for less than 0. */
void amount_duration(int64_t seconds, char text[AMOUNT_BYTES]);
/* Writes in the largest unit that makes the number at least 1: "1.5 MiB", "212.4 ms". */
void amount_bytes(int64_t bytes, char text[AMOUNT_BYTES]);
void amount_us(int64_t us, char text[AMOUNT_BYTES]);
void amount_ms(int64_t ms, char text[AMOUNT_BYTES]);

#endif
