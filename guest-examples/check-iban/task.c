/* `check-iban`: whether an account number can be one, by its country's length and its check digits (ISO 13616). Written
 * in C, without an SDK: JSON from standard input, JSON to standard output, and an exit code.
 *
 * Input {"iban": "DE89 3704 0044 0532 0130 00"}, output {"iban":"DE89…","country":"DE","valid":true}. An input without
 * an iban ends it with exit code 1 and a line on standard error, which is the failure's cause.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest number has 34 characters; an input is more because of spaces and other members. */
#define IBAN_CHARACTERS_MAX 34
#define INPUT_BYTES_MAX 65536

static const struct {
  const char *country;
  size_t length;
} LENGTHS[] = {{"AT", 20}, {"BE", 16}, {"CH", 21}, {"DE", 22}, {"DK", 18}, {"ES", 24}, {"FR", 27}, {"GB", 22},
               {"IE", 22}, {"IT", 27}, {"KW", 30}, {"LU", 20}, {"NL", 18}, {"NO", 15}, {"PL", 28}, {"SE", 24}};

static void refuse(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

/* The text after `"iban":`, up to its closing quote. A number has no character that JSON would escape. */
static const char *find(const char *input, size_t *length) {
  const char *at = strstr(input, "\"iban\"");
  if (at == NULL) refuse("the input has no member \"iban\"");
  at += strlen("\"iban\"");
  at += strspn(at, " \t\r\n:");
  if (*at != '"') refuse("iban must be a text");
  at++;
  *length = strcspn(at, "\"");
  if (at[*length] != '"') refuse("the input is no JSON");
  return at;
}

/* Without spaces and in capitals; 0 if it is no letters and digits, or too long. */
static size_t normalise(const char *text, size_t length, char *iban) {
  size_t count = 0;
  for (size_t index = 0; index < length; index++) {
    unsigned char character = (unsigned char)text[index];
    if (character == ' ') continue;
    if (!isalnum(character) || count == IBAN_CHARACTERS_MAX) return 0;
    iban[count++] = (char)toupper(character);
  }
  iban[count] = '\0';
  return count;
}

static int has_length_of_country(const char *iban, size_t length) {
  for (size_t index = 0; index < sizeof LENGTHS / sizeof LENGTHS[0]; index++) {
    if (strncmp(iban, LENGTHS[index].country, 2) == 0) return length == LENGTHS[index].length;
  }
  return 0;
}

/* The number with its first four characters at the end and letters as 10 to 35 is 1 modulo 97. */
static int has_check_digits(const char *iban, size_t length) {
  unsigned remainder = 0;
  for (size_t index = 0; index < length; index++) {
    unsigned char character = (unsigned char)iban[(index + 4) % length];
    unsigned value = isdigit(character) ? character - '0' + 0u : character - 'A' + 10u;
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder == 1;
}

int main(void) {
  static char input[INPUT_BYTES_MAX + 1];
  size_t size = fread(input, 1, INPUT_BYTES_MAX, stdin);
  if (size == INPUT_BYTES_MAX) refuse("the input is too large");
  input[size] = '\0';
  size_t length = 0;
  const char *text = find(input, &length);
  char iban[IBAN_CHARACTERS_MAX + 1] = "";
  size_t count = normalise(text, length, iban);
  if (count < 4) refuse("iban must have letters and digits, and spaces between them");
  int valid = has_length_of_country(iban, count) && has_check_digits(iban, count);
  printf("{\"iban\":\"%s\",\"country\":\"%.2s\",\"valid\":%s}\n", iban, iban, valid ? "true" : "false");
  return 0;
}
