/** The element of an id. */
export const byId = (id) => document.getElementById(id)

/** An element with properties and children; texts stay texts. */
export function element (name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

const svgNamespace = 'http://www.w3.org/2000/svg'

export function svg (name, attributes = {}, ...children) {
  const made = document.createElementNS(svgNamespace, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** Leaves what is the same alone: a focus, a selection and what is opened stay as they are. */
export function setText (target, text) {
  if (target.textContent !== text) target.textContent = text
}

export function setClass (target, name) {
  if (target.className !== name) target.className = name
}
