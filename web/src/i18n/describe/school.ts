// Short names of schools, where there is little space.

const KIND =
  "(?:Mầm non|Mẫu giáo|Tiểu học|Trung học cơ sở|Trung học phổ thông|Phổ thông dân tộc (?:bán|nội) trú|Phổ thông(?! dân tộc)|" +
  "Liên cấp|PTDTBT|PTDTNT|THCS|THPT|TH)";
const BETWEEN = "(?:\\s+|\\s*(?:&|,|-|–|và)\\s*)";
const KINDS = new RegExp(`^(?:Trường\\s+)?${KIND}(?:${BETWEEN}${KIND})*\\s+`, "iu");

/** A school's name without the kind of school, with which all names begin. */
export const shortSchoolName = (name: string): string => name.replace(KINDS, "") || name;
