// Values of tags as a person writes them.

export const counted = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export const personWords = (name) =>
  (name ?? "").split("=").map((part) => part.split("^").filter(Boolean).join(" ")).filter(Boolean).join(" = ");

export const dateWords = (date) => (date ?? "").replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3");
