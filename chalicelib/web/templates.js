/** Configurations to start from; their texts lie beside this module. */

import { fileText } from "./api.js";

export const TEMPLATES = [
  { name: "files", title: "Files in S3", about: "CSV, JSON and text files below a prefix of a bucket" },
  { name: "api", title: "A JSON API", about: "Records of an API, page by page, what is new each time" },
  { name: "both", title: "Files and an API", about: "Both into one table" },
];

/** The text of a template. */
export function template(name) {
  return fileText(new URL(`template-${name}.yaml`, import.meta.url));
}
