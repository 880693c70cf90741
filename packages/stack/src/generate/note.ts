import type { Random } from './random.ts'
import { complaints, findings, plans } from './vocabulary.ts'

/** The text of a clinical note: most have some hundred bytes, some a few KB. */
export function generateNote (random: Random, name: string, date: string): string {
  let text = `${date}\n\n# Chief complaint\n- ${random.pick(complaints)}\n\n# History of present illness\n${name}\n`
  const paragraphs = random.chance(0.15) ? random.integer(20, 60) : random.integer(2, 12)
  for (let paragraph = 0; paragraph < paragraphs; paragraph++) text += `${random.pick(findings)}\n`
  text += '\n# Assessment and plan\n'
  for (let step = random.integer(1, 4); step > 0; step--) text += `- ${random.pick(plans)}\n`
  return text
}
