import { safeText } from "../../safe-text.ts";

// What is drawn as nothing: zero-width and format characters, variation selectors, and the tag characters in which a
// whole hidden sentence can be written. A model reads them, a person does not see them.
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Co}]/gu;

/** Recorded text, made safe for a model to read as data: nothing in it is hidden from a person who looks at the same. */
export const cleanText = (text: string): string => safeText(text.toWellFormed()).replace(INVISIBLE, "");
