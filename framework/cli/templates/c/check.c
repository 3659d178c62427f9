static int failures = 0;

#define CHECK(holds)                                                          \
    do {                                                                      \
        if (!(holds)) {                                                       \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds); \
            failures = 1;                                                     \
        }                                                                     \
    } while (0)

static MolarenaStr text(const char *chars) {
    MolarenaStr text = {(const uint8_t *)chars, strlen(chars)};
    return text;
}
