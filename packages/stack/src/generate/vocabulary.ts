/** Words of the invented population. No person is meant; numbers and addresses are of the ranges reserved for fiction. */

/** Of many scripts, with the characters that break careless software: apostrophes, hyphens, spaces, combining marks, astral planes. */
export const people = [
  {
    given: { female: ['Olivia', 'Emma', 'Grace', 'Abigail', 'Ruth'], male: ['Liam', 'Noah', 'James', 'Henry', 'Theodore'] },
    family: ['Smith', 'O’Brien', 'Johnson', 'D\'Angelo', 'Smith-Jones', 'McAllister'], language: 'en',
  },
  {
    given: { female: ['María José', 'Lucía', 'Inés', 'Begoña'], male: ['José', 'Íñigo', 'Ángel', 'Martín'] },
    family: ['García', 'Núñez', 'de la Cruz', 'Peña Ortiz', 'López'], language: 'es',
  },
  {
    given: { female: ['Jürgen-Maria', 'Änne', 'Sophie', 'Käthe'], male: ['Jörg', 'Wolfgang', 'Günther', 'Max'] },
    family: ['Müller', 'Weiß', 'von der Höhe', 'Groß', 'Schröder'], language: 'de',
  },
  {
    given: { female: ['Zoë', 'Chloé', 'Hélène', 'Françoise'], male: ['François', 'Loïc', 'Étienne', 'Jean-Noël'] },
    family: ['Lefèvre', 'd’Évreux', 'Gagné', 'Besançon'], language: 'fr',
  },
  {
    given: { female: ['Анна', 'Екатерина', 'Мария'], male: ['Алексей', 'Юрий', 'Фёдор'] },
    family: ['Иванова', 'Щербакова', 'Чехов', 'Соловьёв'], language: 'ru',
  },
  { given: { female: ['美咲', '陽菜', 'さくら'], male: ['翔太', '健', '𠮷郎'] }, family: ['田中', '佐藤', '髙橋', '𠮷田'], language: 'ja' },
  {
    given: { female: ['فاطمة', 'ليلى', 'عائشة'], male: ['محمد', 'يوسف', 'عبد الله'] }, family: ['الحسن', 'حداد', 'بن علي'], language: 'ar',
  },
  {
    given: { female: ['Siobhán', 'Bjørg', 'Ngọc Ánh', 'Agnieszka'], male: ['Søren', 'Łukasz', 'Nguyễn', 'Håkon'] },
    family: ['Ó Súilleabháin', 'Østergård', 'Trần', 'Wiśniewski', 'Çelik'], language: 'en',
  },
] as const

export const prefixes = ['Dr.', 'Mr.', 'Ms.', 'Mrs.', 'Prof. Dr.'] as const
export const suffixes = ['Jr.', 'III', 'PhD', 'M.D.'] as const
export const physicians = [
  'Dr. Liane Kunze', 'Dr. Ahmed Said', 'Dr. Renée Fournier', 'Dr. Paul O’Neill', 'Dr. Yuki Tanaka', 'Dr. Ewa Nowak', 'Dr. Grace Obi',
  'Dr. Tomás Vidal',
] as const
export const organizations = [
  'Saint Mary Hospital', 'Newman Regional Health', 'Klinikum Süd', 'Centre Médical de l’Étoile', 'Harbour Family Practice',
] as const

export const places = [
  {
    city: 'Springfield', district: 'Hampden County', state: 'MA', postalCode: '01103', country: 'US',
    streets: ['Elm Street', 'Main Street', 'St. James Avenue'],
  },
  {
    city: 'Wichita', district: 'Sedgwick County', state: 'KS', postalCode: '67202', country: 'US',
    streets: ['Douglas Avenue', 'Waco Street'],
  },
  { city: 'Köln', state: 'NW', postalCode: '50667', country: 'DE', streets: ['Hohe Straße', 'Am Römerturm'] },
  { city: 'Saint-Étienne', state: 'ARA', postalCode: '42000', country: 'FR', streets: ['Rue de l’Église', 'Avenue de la Libération'] },
  { city: 'A Coruña', state: 'GA', postalCode: '15001', country: 'ES', streets: ['Rúa Real', 'Calle de Ángel'] },
  { city: '札幌市', district: '中央区', state: '北海道', postalCode: '060-0042', country: 'JP', streets: ['大通西', '北一条西'] },
] as const

/** Backslashes, quotes, tabs and line breaks belong in descriptions: databases and NDJSON both have to escape them. */
export const descriptions = [
  'Routine visit', 'Follow-up after "no show"', 'Scanned from C:\\scans\\2019\\batch 7', 'First line\nsecond line',
  'Column one\tcolumn two',
  'Résumé des soins – état stable', '経過観察', 'Cost: 100 % covered; {see annex}', 'Discharged home 🙂',
] as const

export const groups = ['Diabetes registry', 'Heart failure clinic', 'Members of Harbour Family Practice'] as const

export const complaints = [
  'Cough', 'Chest pain', 'Headache', 'Shortness of breath', 'Back pain', 'Fatigue', 'Dizziness', 'Rash', 'Sore throat', 'Knee pain',
] as const
export const findings = [
  'The patient reports that symptoms began about two weeks ago and have slowly improved since.',
  'No fever, no chills, no night sweats; appetite and weight are unchanged.',
  'Blood pressure 128/82 mmHg, pulse 72/min and regular, temperature 36.7 °C, SpO₂ 98 % on room air.',
  'Lungs are clear to auscultation on both sides; heart sounds are normal, without a murmur.',
  'The abdomen is soft and not tender; bowel sounds are present in all four quadrants.',
  'There is mild swelling of the left knee; the range of motion is 0–110°.',
  'Neurological examination without focal findings; gait is steady.',
  'HbA1c 6.9 % (previous 7.4 %), LDL cholesterol 2.6 mmol/l, creatinine 84 µmol/l.',
  'The electrocardiogram shows sinus rhythm without changes of the ST segment.',
  'The patient lives with a partner, has never smoked and drinks alcohol on occasion.',
  'Allergies: none known. The medication list was reviewed with the patient.',
  'Der Patient wurde über Nutzen und Risiken aufgeklärt und ist einverstanden.',
  'La patiente a été informée des résultats ; un contrôle est prévu dans trois mois.',
] as const
export const plans = [
  'Continue the present medication; recheck in six weeks.', 'Refer to cardiology for an echocardiogram.',
  'Start metformin 500 mg twice a day with meals.',
  'Physiotherapy, two sessions a week for six weeks.', 'Influenza vaccine given today in the left deltoid muscle.',
  'Return at once if breathing becomes difficult.',
  'Blood count, electrolytes and thyroid function at the next visit.', 'Imaging only if symptoms persist beyond four weeks.',
] as const
