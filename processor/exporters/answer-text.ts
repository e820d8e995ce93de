const MAX_LENGTH = 300;

/** Text from outside as one short line for the operator: no control or direction characters, which terminals obey. */
export const answerText = (text: string): string =>
  text
    .slice(0, 4 * MAX_LENGTH)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, MAX_LENGTH);
