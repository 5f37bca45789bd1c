// Random bits by a key and a counter of two words each: Threefry with 32 bits and 20 rounds (Salmon and others,
// Parallel random numbers: as easy as 1, 2, 3, 2011).
static inline uint32_t NAME_word(uint32_t seed, uint32_t row, uint32_t turn, uint32_t place) {
    static const uint8_t by[] = {13, 15, 26, 6, 17, 29, 16, 24};
    const uint32_t keys[] = {seed, row, seed ^ row ^ UINT32_C(0x1BD11BDA)};
    uint32_t a = turn + seed, b = place + row;
    for (int group = 1; group <= 5; group++) {
        for (int k = 0; k < 4; k++) {
            const int shift = by[group % 2 ? k : k + 4];
            a += b;
            b = ((b << shift) | (b >> (32 - shift))) ^ a;
        }
        a += keys[group % 3];
        b += keys[(group + 1) % 3] + (uint32_t)group;
    }
    return a;
}

// A normal number: four looks into a table, one for each byte. No product is among them, so that it is the same
// wherever it is computed.
static inline KIND NAME_normal(uint32_t word) {
    return (NAME_normals[word & 255] + NAME_normals[(word >> 8) & 255])
        + (NAME_normals[(word >> 16) & 255] + NAME_normals[word >> 24]);
}
