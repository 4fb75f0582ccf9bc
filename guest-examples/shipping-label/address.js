/** Addresses as the postal services of their countries want them. */

import { TaskError } from "stepwell-sdk";

const COUNTRIES = {
  CH: { name: "SWITZERLAND", postalCode: /^\d{4}$/, place: ({ postalCode, city }) => [`${postalCode} ${city}`] },
  DE: { name: "GERMANY", postalCode: /^\d{5}$/, place: ({ postalCode, city }) => [`${postalCode} ${city}`] },
  FR: { name: "FRANCE", postalCode: /^\d{5}$/, place: ({ postalCode, city }) => [`${postalCode} ${upper(city)}`] },
  GB: {
    name: "UNITED KINGDOM",
    postalCode: /^[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}$/,
    place: ({ postalCode, city }) => [upper(city), postalCode],
  },
  JP: { name: "JAPAN", postalCode: /^\d{3}-\d{4}$/, place: ({ postalCode, city }) => [city, `〒${postalCode}`] },
  US: {
    name: "UNITED STATES",
    postalCode: /^\d{5}(-\d{4})?$/,
    state: /^[A-Z]{2}$/,
    place: ({ postalCode, city, state }) => [`${upper(city)}, ${state} ${postalCode}`],
  },
};

/** Longer lines leave the label. */
const CHARACTERS_MAX = 48;

/** The lines of an address; every problem at once under the name `InvalidAddress`. */
export function addressLines(recipient) {
  const address = normalised(recipient);
  const country = COUNTRIES[address.country];
  if (country === undefined) {
    const known = Object.keys(COUNTRIES).join(", ");
    throw new TaskError("UnsupportedCountry", `no addresses of ${address.country || "no country"}; known are ${known}`);
  }
  const empty = ["name", "street", "city"].filter((field) => address[field] === "");
  const problems = empty.map((field) => `${field} is empty`);
  if (!country.postalCode.test(address.postalCode)) {
    problems.push(`postalCode ${JSON.stringify(address.postalCode)} is none of ${country.name}`);
  }
  if (country.state && !country.state.test(address.state)) {
    problems.push(`state must have two letters, and is ${JSON.stringify(address.state)}`);
  }
  const lines = [address.name, address.street, ...country.place(address), country.name];
  const long = lines.find((line) => [...line].length > CHARACTERS_MAX);
  if (long !== undefined) problems.push(`"${long}" has more than ${CHARACTERS_MAX} characters`);
  if (problems.length > 0) throw new TaskError("InvalidAddress", problems.join("; "));
  return lines;
}

/** One space between words, none around them, and codes in capitals. */
function normalised(recipient) {
  const text = (field) => String(recipient[field] ?? "").replace(/\s+/g, " ").trim();
  return {
    name: text("name"),
    street: text("street"),
    city: text("city"),
    postalCode: upper(text("postalCode")),
    state: upper(text("state")),
    country: upper(text("country")),
  };
}

function upper(text) {
  return text.toUpperCase();
}
