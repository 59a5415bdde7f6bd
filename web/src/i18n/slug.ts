const GENERIC = /^(truong-)?((tieu-hoc|trung-hoc-co-so|trung-hoc-pho-thong|th|thcs|thpt)-)?/;

/** A school code from a school's name: "Trường Tiểu học Lê Lợi" is "le-loi". */
export function slug(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/đ/g, "d")
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const short = plain.replace(GENERIC, "");
  return (short.length >= 2 ? short : plain).slice(0, 40).replace(/-+$/, "");
}
