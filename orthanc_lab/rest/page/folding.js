// Texts compared without regard to case and accents, which the search of the server tells apart.

const STROKES = { ł: "l", ø: "o", đ: "d", ħ: "h", ŧ: "t", ı: "i", ĸ: "k", ŋ: "n" }; // Unicode does not take them apart
const ACCENTED = new Set("acdegilnorstuyzαεηιουωеи"); // the letters that carry accents in European names
const FEWEST = 3; // letters of a text that is sought with other accents

const plain = (text) => [...text.normalize("NFKD").replace(/\p{M}/gu, "")].map((one) => STROKES[one] ?? one).join("");

export const folded = (text) => plain(text.replace(/[\^=]/g, " ").toLowerCase()).split(/\s+/).filter(Boolean).join(" ");

// Whether a text holds words that were folded, in this order.
export function holds(text, words) {
  const value = folded(text);
  let at = 0;
  return words.split(" ").every((word) => {
    const found = value.indexOf(word, at);
    at = found + word.length;
    return found >= 0;
  });
}

// A pattern that also matches words with other accents, "" if they can have none. It has * where letters with accents
// may be, not ?: the server drops such letters before it compares.
export function patternWithoutAccents(words) {
  if (words.includes("?") || words.length < FEWEST) return "";
  const letters = [...words.normalize("NFC").toLowerCase()].map((letter) => plain(letter) || letter);
  if (!letters.some((letter) => ACCENTED.has(letter))) return "";
  return `*${letters.map((letter) => (ACCENTED.has(letter) ? "*" : letter)).join("")}*`.replace(/\*+/g, "*");
}
